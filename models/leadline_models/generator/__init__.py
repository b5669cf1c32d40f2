"""Procedural video with exact depth: scenes -> ray caster -> camera effects. No file is read, no asset used."""

# Part of every training record. Raise it when the same seed would give other pixels.
GENERATOR_VERSION = "2"
