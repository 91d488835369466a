"""Redaction before the queue: detectors of secrets and personal data, and rules of the user's own.

`detectors` is the table of what is found, `redaction` applies it to texts, `rules` the user's rules to fields, `scrub`
is the processor, `cli` the command `yaat scrub`.
"""
