"""Repairs of failed trials.

A failure is first looked up in a catalogue of known errors, then a language model is asked, where there is one. A
repair is a candidate like any other: source "debugger", parent the failed trial, through the same gate, on the same
budget. What needs too much memory or time is not repaired: nothing as large is tried again. What the debugger decides
is a function of the history, so that it does not matter when a search is killed.
"""

from synthcity.search.debugger.consult import Consultant
from synthcity.search.debugger.debugger import Debugger

__all__ = ["Consultant", "Debugger"]
