"""Logs and metrics of containers, from the Docker Engine API: Docker, and podman's service.

address.py, engine.py        where the engine is, and how it is asked
choosing.py, own.py          which containers are meant; the agent's own never is
container.py, labels.py      what is known of a container, and what its labels ask for
adlogs.py                    Datadog's label
frames.py, times.py          bytes of a log to frames, a chunk at a time
held.py                      the file of a log of podman, for the time after the container
cursor.py, stream.py         how far a log was read and delivered; frames to lines to events
tail.py, source.py           one log, all logs
stats.py, metrics.py         the source of metrics
"""
