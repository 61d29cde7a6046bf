"""What a simulated view begins with."""

import msgspec

from playhead.simulate.audience import Viewer
from playhead.simulate.catalogue import Title
from playhead.simulate.delivery import Delivery
from playhead.simulate.sdk import Sdk
from playhead.simulate.truth import ViewTruth


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """What a view begins with."""

    viewer: Viewer
    title: Title
    start_ms: int
    end_ms: int | None
    """When everybody has to leave."""
    delivery: Delivery
    sdk: Sdk
    truth: ViewTruth
