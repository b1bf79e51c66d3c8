"""The prober that runs on hosts: standard library and this package only, Python 3.9 or later, shipped as one zipapp."""
