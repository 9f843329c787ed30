"""Child registries of MMSegmentation's with the scope ``rtseg_plugin``.

Everything is registered in ``mmseg.registry`` but two transforms, here, and
what wraps models, ``GlooDataParallel`` and ``wrap_named_layers``, in
mmengine's own. These nodes make ``type='rtseg_plugin.SCTNet'`` resolve in
anybody's config: mmengine imports ``rtseg_plugin.registry`` when it meets the
unknown scope, and a child finds what its parent holds. Each registry of the
host has one, under the host's name: DATASETS, MODELS and so on.
"""
from mmengine.registry import Registry
from mmseg import registry as _host

from .datasets.transforms import LoadAnnotations, LoadImageFromFile

_CHILDREN = {
    name: Registry(
        parent.name,
        parent=parent,
        scope='rtseg_plugin',
        # imported by the first look-up; the package imports the host's rest
        locations=['rtseg_plugin', 'mmseg.engine', 'mmseg.visualization'])
    for name, parent in vars(_host).items() if isinstance(parent, Registry)
}
globals().update(_CHILDREN)

# they keep the host's names, so they cannot be in its registry
for _transform in (LoadAnnotations, LoadImageFromFile):
    _CHILDREN['TRANSFORMS'].register_module(module=_transform)
