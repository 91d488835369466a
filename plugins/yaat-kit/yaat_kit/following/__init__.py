"""Following files: which exist, which is which, what of them is read.

    discovery    globs to paths, cheaply, once a scan
    wakeups      what the system tells of changes; filesystems: where it doesn't
    identity     what makes a file the same file: device, inode and the bytes at its head and before the offset
    checkpoint   where reading of one generation stands, as stored; starting: what a run takes over from the one before
    generation   one file from its creation to its truncation or end, as it is followed
    reader       one look into a generation: bytes to events; packing: the bytes of compressed files
    roster       which generations there are and where; refusals, aged: what is not read
    copies       what copytruncate leaves; archives: what compression leaves; orphans, reclaim: whose file is out of sight;
                 renumbered: whose device has another number
    follower     all generations together: turns, descriptors, rotation; pacing: how often

`Follower` is the door. It is synchronous and meant for worker threads.
"""
