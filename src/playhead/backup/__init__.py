"""Backups: a moment of the data folder, sent to a folder or a bucket, and restored from there."""
