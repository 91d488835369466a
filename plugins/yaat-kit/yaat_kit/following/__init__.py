"""Following files: which exist, which is which, what of them is read.

    discovery   globs to paths, cheaply, once a scan
    identity    what makes a file the same file: device, inode and the bytes at its head and before the offset
    checkpoint  where reading of one generation stands, as stored
    generation  one file from its creation to its truncation or end, as it is followed
    reader      one look into a generation: bytes to events
    follower    all generations together: turns, descriptors, rotation

`Follower` is the door. It is synchronous and meant for worker threads.
"""
