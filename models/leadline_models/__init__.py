"""Leadline's models: the network, its training data, its training and its export."""
