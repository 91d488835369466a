"""Metrics of a Linux host: CPU, load, memory, disks, network, processes, pressure, the limits of a container."""
