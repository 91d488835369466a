"""What `yaat diagnose` looks at: one module for each topic, a small function for each check.

A check gets the `base.Surroundings` and gives `base.Check`s. `running.Examiner` does all of them at one time, each in a
thread with a limit of time: one that hangs or raises is a finding itself, and the others have their say. `inspection`
puts them together with the status, in an agent and without one.
"""
