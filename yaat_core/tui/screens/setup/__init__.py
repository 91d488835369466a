"""The wizard of the first start: steps over the library `yaat_core.setting_up`, which does everything but the drawing.

screen.py       the screen: its steps, and what they share
wish.py         what was chosen so far, as the answers of `yaat setup`
sources.py      what was found, with live lines, to choose of
redaction.py    what is taken out, before and after
destination.py  where events go, and what the gateway says to the key
running.py      how the agent runs
review.py       the difference, the last confirmation, and the first events
"""
