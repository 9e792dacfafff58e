"""Trainings as they are shown: one file a form, each a listener of a solver's events.

Knows events and streams. Has never heard of nets, and decides nothing about a training.
"""
