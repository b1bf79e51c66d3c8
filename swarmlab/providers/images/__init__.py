"""What hosts and stand-in tasks are made of: recipes as data, files that go into the node image, and two ways to build
it.
"""
