"""Order of clips for evaluation."""
from typing import Iterator, List, Sequence, TypeVar

from mmengine.dist import get_dist_info
from mmseg.registry import DATA_SAMPLERS
from torch.utils.data import Dataset, Sampler

_Item = TypeVar('_Item')


def _cut(groups: Sequence[List[_Item]],
         parts: int) -> List[List[_Item]]:
    """Cut a sequence of groups into parts of about one size, groups whole."""
    total = sum(map(len, groups))
    result: List[List[_Item]] = [[] for _ in range(parts)]
    done = 0
    for group in groups:
        middle = done + len(group) / 2
        result[min(int(middle * parts / total), parts - 1)] += group
        done += len(group)
    return result


@DATA_SAMPLERS.register_module()
class VideoSampler(Sampler):
    """Clips of a video stay together and in order.

    Each rank gets whole videos, which :class:`TemporalConsistency` and
    :class:`VideoConsistency` need, and each worker of its data loader gets
    them one after the other, so that the cache of :class:`LoadClip` finds the
    frames that clips share. Ranks may get different numbers of clips, none is
    repeated. For evaluation: nothing is shuffled.

    Args:
        dataset (Dataset): A data set of clips.
        num_workers (int): Workers of the data loader. Defaults to 1.
        batch_size (int): Batch size of the data loader. Defaults to 1.
        seed (int, optional): Not used; mmengine passes it. Defaults to None.
    """

    def __init__(self,
                 dataset: Dataset,
                 num_workers: int = 1,
                 batch_size: int = 1,
                 seed: int = None) -> None:
        rank, world_size = get_dist_info()
        videos = {}
        for index in range(len(dataset)):
            video_id = dataset.get_data_info(index)['video_id']
            videos.setdefault(video_id, []).append(index)
        mine = set(_cut(list(videos.values()), world_size)[rank])
        queues = _cut(
            [indices for indices in videos.values() if indices[0] in mine],
            max(num_workers, 1)) if mine else []
        self.indices = self._interleave(queues, batch_size)

    @staticmethod
    def _interleave(queues: List[List[int]], batch_size: int) -> List[int]:
        """Batches in turn, for batch b is made by worker b modulo workers."""
        order: List[int] = []
        queues = [queue[::-1] for queue in queues]
        while any(queues):
            for own in queues:
                for _ in range(batch_size):
                    # an idle worker helps where the most is left
                    queue = own or max(queues, key=len)
                    if queue:
                        order.append(queue.pop())
        return order

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def set_epoch(self, epoch: int) -> None:
        """Do nothing: the order is fixed."""
