"""One host at a time, for an engine that brings its own connection and its own fleet, such as ansible-core.

Each function does one visit and returns a value; nothing is printed, and no exit code is chosen.
"""
