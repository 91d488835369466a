"""A source in one file: the load average of this machine, as a metric. Put it into $YAAT_PLUGINS_DIR."""

import os

import trio

from yaat_core import Duration, Event, EventBatch, Outlet, Register, Source, configuration, hookimpl, option


@configuration
class LoadConfig:
    """Load average of the machine."""

    every: Duration = option("10s", help="How often to look.")


class LoadSource(Source):
    def __init__(self, config, context):
        self.every, self.once = config.every, context.once

    async def run(self, out: Outlet) -> None:
        while True:
            load = os.getloadavg()[0]
            event = Event(event_type="metric", metric_name="host.load.1m", metric_value=load)
            await out.send(EventBatch.from_events([event]))
            if self.once:
                return
            await trio.sleep(self.every)


@hookimpl
def register_components(register: Register) -> None:
    register.source("loadavg", LoadConfig, LoadSource)
