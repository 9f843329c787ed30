"""The config that check_dataset writes for a folder it has made."""
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional, Sequence, Tuple

if TYPE_CHECKING:  # seconds to import, which a check alone need not wait for
    from mmengine.config import Config

DEFAULT_RECIPE = 'sctnet-s-street_1xb6-2k_camvid-360x480'
# losses that class weights can be given to
WEIGHABLE = ('CrossEntropyLoss', 'HardExampleCrossEntropyLoss')


class RecipeError(Exception):
    """Why a recipe cannot be the start of a config for own images."""


def load_recipe(name: str) -> Tuple[str, 'Config']:
    """What ``_base_`` says of a recipe for single images, and the recipe."""
    from mmengine.config import Config

    import rtseg_plugin  # noqa: F401, the host imports behind it
    from rtseg_plugin.utils.host_tools import config_root, resolve_config
    try:
        path = str(Path(resolve_config(name)).resolve())
    except FileNotFoundError as error:
        raise RecipeError(error) from None
    recipe = Config.fromfile(path)
    if 'teacher' in recipe.model:
        raise RecipeError(
            f'{name} distils from a teacher of its own classes. Start from '
            'a recipe without one; a teacher of your classes can be added '
            'to the config when it is trained')
    if recipe.model.type != 'EncoderDecoder':
        raise RecipeError(f'{name} is a {recipe.model.type}; check_dataset '
                          'writes configs for single images')
    root = config_root().resolve()
    if root in Path(path).parents:  # found wherever the package is
        path = f'rtseg_plugin::{Path(path).relative_to(root).as_posix()}'
    return path, recipe


def _listing(name: str, items: Sequence[str]) -> str:
    """``name = [items]`` in lines of 79."""
    lines = [f'{name} = [']
    for i, item in enumerate(items):
        item += ']' if i == len(items) - 1 else ','
        if len(lines[-1]) + len(item) > 78:
            lines.append('   ')
        lines[-1] += item if lines[-1].endswith('[') else f' {item}'
    return '\n'.join(lines)


def _schedule(recipe: 'Config', iterations: int) -> str:
    """The recipe's schedulers, stretched to another length."""
    ratio = iterations / recipe.train_cfg.max_iters
    result = []
    for scheduler in recipe.param_scheduler:
        scheduler = scheduler.to_dict()
        for key in ('begin', 'end', 'T_max'):
            if scheduler.get(key):
                scheduler[key] = max(1, round(scheduler[key] * ratio))
        result.append('    dict(' + ', '.join(
            f'{key}={value!r}' for key, value in scheduler.items()) + ')')
    return 'param_scheduler = [\n' + ',\n'.join(result) + '\n]'


def _model_lines(recipe: 'Config',
                 weights: Optional[List[float]]) -> List[str]:
    """Lines that give every head the classes, and the weights its loss."""
    auxiliary = recipe.model.get('auxiliary_head')
    heads = ['_base_.model.decode_head']
    if isinstance(auxiliary, list):
        heads.append('*_base_.model.auxiliary_head')
    elif auxiliary:
        heads.append('_base_.model.auxiliary_head')
    lines = [f'for head in [{", ".join(heads)}]:',
             '    head.num_classes = num_classes',
             '    head.ignore_index = 255']
    if weights:
        lines.insert(0, _listing('class_weight', [str(x) for x in weights]))
        lines += [
            "    if head.loss_decode.type == 'CrossEntropyLoss':",
            '        head.loss_decode = dict(',
            "            type='ClassWeightedCrossEntropyLoss',",
            '            class_weight=class_weight,',
            "            loss_weight=head.loss_decode.get('loss_weight', 1.))",
            "    elif head.loss_decode.type == 'HardExampleCrossEntropyLoss':",
            '        head.loss_decode.class_weight = class_weight']
    elif not isinstance(recipe.model.decode_head.loss_decode, list):
        lines += [
            '    # a weight per class of the recipe would not fit yours',
            "    head.loss_decode.pop('class_weight', None)"]
    lines += ['model = dict(',
              '    data_preprocessor=dict(size=crop_size, seg_pad_val=255),',
              '    decode_head=_base_.model.decode_head']
    if auxiliary:
        lines[-1] += ','
        lines.append('    auxiliary_head=_base_.model.auxiliary_head')
    lines[-1] += ')'
    return lines


def sizes_for(size: Tuple[int, int]) -> Tuple[Tuple[int, int],
                                              Tuple[int, int]]:
    """Scale (w, h) and crop (h, w) for images of a median size (w, h)."""
    ratio = min(1, 1024 / max(size), 512 / min(size))
    scale = tuple(max(64, round(x * ratio)) for x in size)
    crop = tuple(max(64, x // 64 * 64) for x in reversed(scale))
    return scale, crop


def write_config(path: Path, data_root: Path, name: str,
                 classes: Sequence[str], palette: Sequence, suffix: str,
                 size: Tuple[int, int], val: str, test: str,
                 weights: Optional[List[float]],
                 iterations: int) -> List[str]:
    """Write the config.

    Args:
        path (Path): File to write.
        data_root (Path): Folder with images/SPLIT and labels/SPLIT.
        name (str): Recipe to start from, a path or a bare name.
        classes (Sequence[str]): Names by index.
        palette (Sequence): An RGB colour for each.
        suffix (str): Of the images.
        size (tuple[int]): Usual (width, height) of the images, in pixels.
        val (str): Split that validates.
        test (str): Split that tests.
        weights (list[float], optional): Of the classes in the loss.
        iterations (int): Length of the training.

    Returns:
        list[str]: What the user has to know before training.

    Raises:
        RecipeError: If the recipe cannot be used for images without teacher.
    """
    from rtseg_plugin.utils.packaged_weights import SCHEME
    base, recipe = load_recipe(name)
    notes = []
    scale, crop = sizes_for(size)
    interval = max(1, iterations // 10)
    loss = recipe.model.decode_head.loss_decode
    if weights and (isinstance(loss, list) or loss.type not in WEIGHABLE):
        notes.append(f'the loss of {name} takes no class weights, so the '
                     f'config has none; a recipe with {WEIGHABLE[0]} does')
        weights = None
    for checkpoint in _checkpoints(recipe.model):
        if not (checkpoint.startswith(SCHEME) or Path(checkpoint).is_file()):
            notes.append(
                f'{name} starts from {checkpoint}, which is not here: fetch '
                'it, or set model.backbone.init_cfg to None')
    text = f"""\
# Written by check_dataset. Train, then test:
#   mim train rtseg_plugin {data_root}/config.py
#   mim test rtseg_plugin {data_root}/config.py --checkpoint X.pth
_base_ = {base!r}
data_root = {f'{data_root}/'!r}
{_listing('classes', [repr(str(x)) for x in classes])}
num_classes = len(classes)
{_listing('palette', [str([*map(int, x)]) for x in palette])}
scale = {scale}  # width, height
crop_size = {crop}  # height, width
iterations = {iterations}

load_image = dict(type='LoadImageFromFile', _scope_='rtseg_plugin')
load_annotations = dict(
    type='LoadAnnotations', _scope_='rtseg_plugin', num_classes=num_classes)
train_pipeline = [
    load_image, load_annotations,
    dict(type='RandomResize', scale=scale, ratio_range=(0.5, 2.0),
         keep_ratio=True),
    dict(type='RandomCrop', crop_size=crop_size, cat_max_ratio=0.9),
    dict(type='RandomFlip', prob=0.5),
    dict(type='PhotoMetricDistortion'),
    dict(type='PackSegInputs')
]
test_pipeline = [
    load_image,
    dict(type='Resize', scale=scale, keep_ratio=True),
    load_annotations,  # behind Resize: truth keeps its own size
    dict(type='PackSegInputs')
]


def dataset(split, pipeline):
    return dict(
        _delete_=True,
        type='BaseSegDataset',
        data_root=data_root,
        metainfo=dict(classes=classes, palette=palette),
        img_suffix={suffix!r},
        seg_map_suffix='.png',
        data_prefix=dict(
            img_path=f'images/{{split}}', seg_map_path=f'labels/{{split}}'),
        pipeline=pipeline)


train_dataloader = dict(dataset=dataset('train', train_pipeline))
val_dataloader = dict(dataset=dataset({val!r}, test_pipeline))
test_dataloader = dict(dataset=dataset({test!r}, test_pipeline))
"""
    text += '\n'.join(_model_lines(recipe, weights))
    text += f"""
train_cfg = dict(max_iters=iterations, val_interval={interval})
{_schedule(recipe, iterations)}
default_hooks = dict(checkpoint=dict(interval={interval}))
load_from = None
"""
    path.write_text(text, encoding='utf-8')
    load_recipe(str(path))  # what does not load is not left behind
    return notes


def _checkpoints(node) -> List[str]:
    """Start files that a model asks for."""
    if isinstance(node, dict):
        own = [node['checkpoint']] if node.get('type') == 'Pretrained' else []
        return own + [x for v in node.values() for x in _checkpoints(v)]
    if isinstance(node, (list, tuple)):
        return [x for v in node for x in _checkpoints(v)]
    return []
