"""What all tests share."""

from hypothesis import settings

# A busy machine makes no test fail: time is measured by benches, never asserted.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
