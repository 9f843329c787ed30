"""Trained networks on images, videos and streams.

What is named here is imported when it is first asked for: ``deployed`` needs
neither torch nor the host.
"""
import importlib
from typing import Any

_MODULES = {
    'BadFrameError': 'video_session',
    'FrameResult': 'results',
    'LogitsNetwork': 'network',
    'Prediction': 'prediction',
    'Recorder': 'recorder',
    'Segmentor': 'segmentor',
    'SourceError': 'frames',
    'StreamNetwork': 'network',
    'TorchNetwork': 'torch_network',
    'VideoSession': 'video_session',
    'VideoWriter': 'video_writer',
    'feed_together': 'video_session',
    'frame_network': 'network',
    'load_segmentor': 'network',
    'open_source': 'sources',
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = importlib.import_module(f'.{_MODULES[name]}', __name__)
    return getattr(module, name)
