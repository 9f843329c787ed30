"""Imported before any test module."""
# puts the stand-in for mmcv's compiled part in place, where that is absent,
# so that test modules may import the host's models in any order
import rtseg_plugin  # noqa: F401
