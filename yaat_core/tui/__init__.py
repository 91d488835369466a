"""The full-screen TUI: a shell for panels, which plugins declare by the hook `panels`. Needs the extra ``yaat-core[tui]``.

`screen`, `layout`, `keys` and `widgets` are what authors of panels use: see ``docs/tui-panels.md``. prompt-toolkit draws and
reads keys on asyncio; everything that waits runs in trio, as a guest on that loop (`guest`).
"""
