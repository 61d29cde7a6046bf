"""The view fold: `view = fold(sort(unique(events of the view)))`. Pure; imports only the model."""

from playhead.process.fold.finish import FAR, due, finish
from playhead.process.fold.sessions import (
    cut_session,
    derived_id,
    fold,
    fold_named,
    fold_session,
    unique,
)
from playhead.process.fold.state import Limits, ViewState, fork, new_view
from playhead.process.fold.step import (
    CMCD,
    apply,
    cut_off,
    cuts,
    cuts_content,
    order_key,
    successor,
)
from playhead.process.fold.witness import cmcd_speaks, named_id, unite

__all__ = [
    "CMCD",
    "FAR",
    "Limits",
    "ViewState",
    "apply",
    "cmcd_speaks",
    "cut_off",
    "cut_session",
    "cuts",
    "cuts_content",
    "derived_id",
    "due",
    "finish",
    "fold",
    "fold_named",
    "fold_session",
    "fork",
    "named_id",
    "new_view",
    "order_key",
    "successor",
    "unique",
    "unite",
]
