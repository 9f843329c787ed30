import logging
from typing import Dict, Optional

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmseg.registry import HOOKS

from .unwrapped import unwrapped


@HOOKS.register_module()
class TeacherScoreHook(Hook):
    """Says when a student has become better than its teacher.

    From then on the teacher pulls it back: on CamVid a SCTNet-S lost 4.5
    points of mIoU to a teacher that had 19.9. The teacher's figure is that of
    the last validation before its checkpoint was written, which holds it; a
    converted checkpoint holds none, and without a teacher nothing happens.

    Args:
        metric (str): Which figure to compare. Defaults to 'mIoU'.
    """

    def __init__(self, metric: str = 'mIoU'):
        self.metric = metric

    def after_val_epoch(self,
                        runner: Runner,
                        metrics: Optional[Dict[str, float]] = None) -> None:
        """Compare, and warn."""
        teacher = getattr(unwrapped(runner.model), 'teacher', None)
        score = getattr(teacher, 'scores', {}).get(self.metric)
        own = (metrics or {}).get(self.metric)
        if score is not None and own is not None and own > score:
            print_log(
                f'The student ({own:.2f} {self.metric}) is better than its '
                f'teacher ({score:.2f} at its last validation): distilling '
                'further may harm. Train the teacher for longer, or the '
                'student without it.',
                logger='current',
                level=logging.WARNING)
