"""The first configuration of a machine, step by step, for `yaat setup` and for the wizard of the TUI.

finding.py     what can be read here: typed `Candidate`s
samples.py     live lines of each, and what redaction does to them
gateway.py     what a backend says to a key
answers.py     what a person wants: the document of `yaat setup --answers FILE`
drafting.py    answers to the text of the configuration, checked, as a diff
writing.py     writes it, and the key beside it; nothing else here writes anything
running.py     starts an agent, or plans the service; counts the first events
"""
