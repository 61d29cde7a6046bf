"""What uses the disk: measured, named, with the rule by which it goes."""
