"""The demonstration agent: a believable coding agent, recorded through the library's own writer.

It shows what the monitor does before a real agent is at hand, and it is a worked example of how to record.
Nothing it says it does is done: no command runs, no model is asked, no file outside its directory is made.
"""

from __future__ import annotations

from buddy_top.demo.agent import DemoAgent
from buddy_top.demo.demonstration import Demonstration

__all__ = ["DemoAgent", "Demonstration"]
