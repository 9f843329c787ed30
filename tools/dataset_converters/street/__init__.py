"""What synthetic_street.py draws, from textures to whole streets.

``scene`` holds what a scene consists of and ``renderer`` makes pictures,
labels and flow of it. ``plan`` decides how a street runs; ``layout`` builds
it, with its ``ground``, ``furniture`` and what lives in it (``life``,
``people``, ``vehicles``), of ``textures`` and shapes (``sketch``).
``statistics`` measures a written data set.
"""
