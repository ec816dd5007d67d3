"""Replay: the test commands of a run, and running them again when a person has read and approved them.

What a run recorded is text an attacker may have written (promise C8). So a command is listed, never run, unless
it needs no shell, is complete, stands in an undamaged record, its directory and program belong to this user, and
somebody approved exactly the arguments, directory and environment that were shown; then a keeper process runs it
without a terminal, within limits of time and output, and ends everything it started.
"""
