"""The agent as a service of the machine: a systemd unit, its user, and how both come and go.

`facts.look` says what is there, `installing.plan` and `removing.plan` (pure) say what would be done as a typed `Plan`, and
`steps.carry_out` does it. Commands and screens show the same plan.
"""
