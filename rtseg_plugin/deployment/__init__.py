"""From a trained network to a folder that runs without PyTorch.

Nothing is imported here: a deployed folder runs where neither torch nor the
host is installed (:class:`rtseg_plugin.apis.deployed.DeployedNetwork`).
"""
