from typing import List, Sequence

from mmcv.transforms import TestTimeAug
from mmseg.registry import TRANSFORMS


@TRANSFORMS.register_module()
class ScalesAndFlips(TestTimeAug):
    """Several versions of what a test pipeline has made of an image or clip.

    The host's ``TestTimeAug`` over one list of scales and both directions;
    what is scaled is the image as it comes in, at the size that the recipe
    tests at. ``mim test ... --tta --cfg-options
    tta_pipeline.2.ratios="[1.0]"`` is the protocol with flips alone.

    Args:
        transforms (Sequence[dict]): What follows in every version: loading
            labels, packing.
        ratios (Sequence[float]): Scales. Defaults to (0.5, 0.75, 1.0, 1.25,
            1.5, 1.75).
        flip (bool): Whether each is also flipped left to right. Defaults to
            True.
        clip (bool): Whether there are clips, of one scale and direction
            each. Defaults to False.
    """

    def __init__(self,
                 transforms: Sequence[dict],
                 ratios: Sequence[float] = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75),
                 flip: bool = True,
                 clip: bool = False):

        def versions(choices: Sequence[dict]) -> List[dict]:
            return [
                dict(type='ApplyToClip', transforms=[choice])
                if clip else choice for choice in choices
            ]

        # 0: never, 1: always
        probabilities = (0., 1.) if flip else (0., )
        super().__init__([
            versions([
                dict(type='Resize', scale_factor=ratio, keep_ratio=True)
                for ratio in ratios
            ]),
            versions([
                dict(type='RandomFlip', prob=prob, direction='horizontal')
                for prob in probabilities
            ]),
            *[[transform] for transform in transforms],
        ])
