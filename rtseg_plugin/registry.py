"""Child registries of MMSegmentation's with the scope ``rtseg_plugin``.

Everything is registered in ``mmseg.registry``; these nodes only make
``type='rtseg_plugin.SCTNet'`` resolve in anybody's config: mmengine imports
``rtseg_plugin.registry`` when it meets the unknown scope, which imports the
package, and a child finds what its parent holds.
"""
from mmengine.registry import Registry
from mmseg.registry import DATASETS as MMSEG_DATASETS
from mmseg.registry import HOOKS as MMSEG_HOOKS
from mmseg.registry import METRICS as MMSEG_METRICS
from mmseg.registry import MODELS as MMSEG_MODELS
from mmseg.registry import PARAM_SCHEDULERS as MMSEG_PARAM_SCHEDULERS
from mmseg.registry import TRANSFORMS as MMSEG_TRANSFORMS

DATASETS = Registry('dataset', parent=MMSEG_DATASETS, scope='rtseg_plugin')
HOOKS = Registry('hook', parent=MMSEG_HOOKS, scope='rtseg_plugin')
METRICS = Registry('metric', parent=MMSEG_METRICS, scope='rtseg_plugin')
MODELS = Registry('model', parent=MMSEG_MODELS, scope='rtseg_plugin')
PARAM_SCHEDULERS = Registry(
    'parameter scheduler',
    parent=MMSEG_PARAM_SCHEDULERS,
    scope='rtseg_plugin')
TRANSFORMS = Registry(
    'transform', parent=MMSEG_TRANSFORMS, scope='rtseg_plugin')

__all__ = [
    'DATASETS', 'HOOKS', 'METRICS', 'MODELS', 'PARAM_SCHEDULERS', 'TRANSFORMS'
]
