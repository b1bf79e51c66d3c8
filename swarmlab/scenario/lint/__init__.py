"""Warnings: what engines accept, yet does probably not do what its author thinks. Rules are listed in rules.py."""
