"""The view fold: `view = fold(sort(unique(events of the view)))`. Pure; imports only the model."""

from playhead.process.fold.finish import FAR, due, finish
from playhead.process.fold.sessions import cut_session, derived_id, fold, fold_session, unique
from playhead.process.fold.state import Limits, ViewState, fork, new_view
from playhead.process.fold.step import apply, cut_off, cuts, order_key

__all__ = [
    "FAR",
    "Limits",
    "ViewState",
    "apply",
    "cut_off",
    "cut_session",
    "cuts",
    "derived_id",
    "due",
    "finish",
    "fold",
    "fold_session",
    "fork",
    "new_view",
    "order_key",
    "unique",
]
