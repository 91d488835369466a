"""The support bundle: `pieces` says what goes in, `redacting` takes out what nobody else should see, `packing` writes it.

`model.Flare` is what goes between the agent and who asks.
"""
