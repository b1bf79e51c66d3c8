"""What hosts and stand-in tasks are made of: recipes as data, the files that go in, mmdebstrap, the stand-in image. No
engine is needed here.
"""
