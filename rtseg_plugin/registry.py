"""Child registries of MMSegmentation's with the scope ``rtseg_plugin``.

Everything is registered in ``mmseg.registry``; these nodes only make
``type='rtseg_plugin.SCTNet'`` resolve in anybody's config: mmengine imports
``rtseg_plugin.registry`` when it meets the unknown scope, which imports the
package, and a child finds what its parent holds. Each registry of the host
has one, under the host's name: DATASETS, MODELS and so on.
"""
from mmengine.registry import Registry
from mmseg import registry as _host

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

# the one that this package itself registers in, see checked_loading.py
TRANSFORMS = _CHILDREN['TRANSFORMS']
