"""Key maps of official checkpoints, one module for each network.

A module holds ``KEY_MAP``; its docstring is the help of the converter. There
is no other list of the networks than these files.
"""
import importlib
import pkgutil
from types import ModuleType
from typing import Dict


def key_maps() -> Dict[str, ModuleType]:
    """The modules by the name of their network."""
    return {
        module.name: importlib.import_module(f'{__name__}.{module.name}')
        for module in pkgutil.iter_modules(__path__)
    }
