"""The composition root: builds, starts, watches and stops every part."""
