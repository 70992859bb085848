"""Transfers as they are read: requests, answers, and the record that goes along."""
