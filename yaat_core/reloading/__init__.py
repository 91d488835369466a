"""A changed configuration for a running agent, without an event lost or repeated.

results.py    what it answers
plan.py       what is different between two configurations
changing.py   does it to the agent's rooms and crews
asking.py     one at a time, from a signal, the API or a look at the file; what is refused is told everywhere
watching.py   has a file changed?
"""
