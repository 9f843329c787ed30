"""Videos as folders of frames or as files, cut into clips."""
import bisect
import os.path as osp
import re
from typing import Dict, List, NamedTuple, Optional, Sequence

import mmcv
import mmengine
from mmengine import fileio
from mmseg.datasets import BaseSegDataset
from mmseg.registry import DATASETS

from ..utils.natural_order import natural_order

VIDEO_SUFFIXES = ('.mp4', '.avi', '.mkv', '.mov', '.mxf', '.webm', '.m4v')

_MISSING = ('error', 'nearest', 'short', 'skip')


class _Video(NamedTuple):
    """Frames of a video.

    ``ids`` are ascending; ``names`` finds the id of a frame by the name that
    its label has, ``paths`` its file. ``file`` is the video file, if it is
    one.
    """

    ids: List[int]
    names: Dict[str, int]
    paths: Dict[int, str]
    file: Optional[str] = None


@DATASETS.register_module()
class VideoFolderDataset(BaseSegDataset):
    r"""Clips of videos with sparse or dense labels.

    An item is a clip, the frames ``a - (clip_length - 1) * stride, ..., a``
    of one video in the order of time, where ``a`` is a target: a frame that
    has a label, or any frame if there are no labels or ``all_frames`` is set.
    The pipeline receives

    - ``img_paths`` (list[str]), one per frame, and ``img_path``, the last,
    - ``seg_map_paths`` (list[str | None]), if there are labels, and
      ``seg_map_path``, the last, if the last frame has one,
    - ``video_id`` (str), ``frame_ids`` (list[int]) and ``frame_id`` (int),
      the last; ids that follow each other differ by 1,
    - ``video_path`` (str), if the video is one file,

    and begins with :class:`LoadClip` and :class:`LoadClipAnnotations`.

    By default every folder below ``data_prefix['img_path']`` that holds
    frames is a video, the labels have the same names below
    ``data_prefix['seg_map_path']``, and ids count the sorted frames::

        img_path/city/0001/000017.png    seg_map_path/city/0001/000017.png

    With ``img_suffix='.mp4'`` and the like every file is a video, and
    ``seg_map_path/{video}/{number}.png`` is the label of its frame
    ``number``, from 0. A folder of frames is the better form for training,
    since a random frame of a video file costs all those since its key frame.

    Args:
        clip_length (int, optional): Frames in a clip; None makes one item of
            each uninterrupted video, for networks that predict all frames in
            one pass. Defaults to 5.
        stride (int): Distance of two frames of a clip. Defaults to 1.
        missing (str): What happens to a clip with frames that do not exist,
            as before the begin of a video: 'error' names the file, 'nearest'
            takes the nearest frame of the video instead, 'short' leaves them
            out (then the batch size has to be 1), 'skip' leaves out the
            clip. Defaults to 'nearest'.
        all_frames (bool): Whether frames without a label are targets too.
            Defaults to False.
        every (int): Take every n-th target of a video. Defaults to 1.
        by_number (bool): Whether the id of a frame is the number in its name,
            so that a gap in the numbers is a gap in the video. Defaults to
            False.
        frame_pattern (str): Regular expression for the whole path of a frame
            below ``img_path``, suffix cut off, with groups ``video`` and
            ``frame``. Files that do not match are passed over. Defaults to
            folder and name.
        label_pattern (str, optional): The same for labels; None takes
            ``frame_pattern``. Defaults to None.
        img_suffix (str): Suffix of frames or videos. Defaults to '.png'.
        seg_map_suffix (str): Suffix of labels. Defaults to '.png'.
        **kwargs: Passed on to :class:`mmseg.datasets.BaseSegDataset`.
            ``ann_file`` is a list of videos.
    """
    METAINFO: dict = dict()

    def __init__(self,
                 clip_length: Optional[int] = 5,
                 stride: int = 1,
                 missing: str = 'nearest',
                 all_frames: bool = False,
                 every: int = 1,
                 by_number: bool = False,
                 frame_pattern: str = r'(?P<video>.+)/(?P<frame>[^/]+)',
                 label_pattern: Optional[str] = None,
                 img_suffix: str = '.png',
                 seg_map_suffix: str = '.png',
                 **kwargs) -> None:
        for name, value in (('clip_length', clip_length), ('stride', stride),
                            ('every', every)):
            if value is not None and value < 1:
                raise ValueError(f'{name} must be at least 1, not {value}')
        if missing not in _MISSING:
            raise ValueError(f'missing must be one of {_MISSING}, not '
                             f'{missing!r}')
        self.clip_length = clip_length
        self.stride = stride
        self.missing = missing
        self.all_frames = all_frames
        self.every = every
        self.by_number = by_number
        self.frame_pattern = re.compile(frame_pattern)
        self.label_pattern = re.compile(label_pattern or frame_pattern)
        super().__init__(
            img_suffix=img_suffix, seg_map_suffix=seg_map_suffix, **kwargs)

    def load_data_list(self) -> List[dict]:
        """Clips in the order of videos and time.

        Raises:
            FileNotFoundError: A listed video, or a frame of a clip under
                ``missing='error'``, does not exist.
            ValueError: A label belongs to no frame.
        """
        videos = self._find_videos()
        label_dir = self.data_prefix.get('seg_map_path')
        labels = self._find_labels(videos) if label_dir else {}
        if self.ann_file:
            listed = [
                line.strip() for line in mmengine.list_from_file(
                    self.ann_file, backend_args=self.backend_args)
                if line.strip()
            ]
            for video_id in listed:
                if video_id not in videos:
                    raise FileNotFoundError(
                        f'no frames of {video_id}, listed in {self.ann_file}, '
                        f'under {self.data_prefix["img_path"]}')
            videos = {video_id: videos[video_id] for video_id in listed}
        data_list = []
        for video_id in sorted(videos, key=natural_order):
            video = videos[video_id]
            known = labels.get(video_id, {})
            for ids in self._clips(video_id, video, known, bool(label_dir)):
                data_list.append(
                    self._data_info(video_id, video, known, ids,
                                    bool(label_dir)))
        return data_list

    def _list(self, folder: str, suffix: str, pattern: 're.Pattern'):
        """(path, match) of the files of a folder, in natural order."""
        if not fileio.isdir(folder, backend_args=self.backend_args):
            raise FileNotFoundError(f'{folder} is not a folder')
        files = fileio.list_dir_or_file(
            folder,
            list_dir=False,
            suffix=suffix,
            recursive=True,
            backend_args=self.backend_args)
        for file in sorted(files, key=natural_order):
            stem = file[:-len(suffix)].replace(osp.sep, '/')
            match = pattern.fullmatch(stem)
            if match:
                yield osp.join(folder, file), match

    def _find_videos(self) -> Dict[str, _Video]:
        folder = self.data_prefix['img_path']
        if self.img_suffix.lower() in VIDEO_SUFFIXES:
            return self._find_video_files(folder)
        videos: Dict[str, _Video] = {}
        for path, match in self._list(folder, self.img_suffix,
                                      self.frame_pattern):
            video = videos.setdefault(match['video'], _Video([], {}, {}))
            name = match['frame']
            frame_id = int(name) if self.by_number else len(video.ids)
            video.ids.append(frame_id)
            video.names[str(frame_id) if self.by_number else name] = frame_id
            video.paths[frame_id] = path
        for video in videos.values():
            video.ids.sort()
        return videos

    def _find_video_files(self, folder: str) -> Dict[str, _Video]:
        videos = {}
        for path, match in self._list(folder, self.img_suffix,
                                      re.compile('(?P<video>.+)')):
            count = mmcv.VideoReader(path).frame_cnt
            if count < 1:
                raise ValueError(f'OpenCV finds no frames in {path}')
            videos[match['video']] = _Video(
                list(range(count)), {str(i): i
                                     for i in range(count)},
                {i: f'{path}/{i:06d}'
                 for i in range(count)}, path)
        return videos

    def _find_labels(
            self, videos: Dict[str, _Video]) -> Dict[str, Dict[int, str]]:
        """Path of each label by video and id of its frame."""
        labels: Dict[str, Dict[int, str]] = {}
        for path, match in self._list(self.data_prefix['seg_map_path'],
                                      self.seg_map_suffix,
                                      self.label_pattern):
            video, name = videos.get(match['video']), match['frame']
            if self.by_number or (video is not None and video.file):
                name = str(int(name))
            if video is None or name not in video.names:
                if self.by_number and self.missing == 'skip':
                    continue
                raise ValueError(
                    f'{path} is the label of frame {match["frame"]} of '
                    f'{match["video"]}, which does not exist under '
                    f'{self.data_prefix["img_path"]}')
            labels.setdefault(match['video'], {})[video.names[name]] = path
        return labels

    def _clips(self, video_id: str, video: _Video, labels: Dict[int, str],
               labelled: bool):
        """Lists of ids of the frames of each clip."""
        every_frame = self.all_frames or not labelled
        if self.clip_length is None:
            start = 0
            for stop in range(1, len(video.ids) + 1):
                if (stop == len(video.ids)
                        or video.ids[stop] != video.ids[stop - 1] + 1):
                    ids = video.ids[start:stop]
                    if every_frame or any(i in labels for i in ids):
                        yield ids[::-self.stride][::-1]
                    start = stop
            return
        targets = video.ids if every_frame else sorted(labels)
        for target in targets[::self.every]:
            ids = self._clip(video_id, video, target)
            if ids is not None:
                yield ids

    def _clip(self, video_id: str, video: _Video,
              target: int) -> Optional[List[int]]:
        span = (self.clip_length - 1) * self.stride
        ids = []
        for wanted in range(target - span, target + 1, self.stride):
            if wanted in video.paths:
                ids.append(wanted)
            elif self.missing == 'nearest':
                ids.append(self._nearest(video.ids, wanted))
            elif self.missing == 'skip':
                return None
            elif self.missing == 'error':
                raise FileNotFoundError(
                    f'the clip of {self.clip_length} frames up to frame '
                    f'{target} of {video_id} needs frame {wanted}, '
                    f'{self._path_of(video.paths[target], target, wanted)}, '
                    "which does not exist; missing='nearest', 'short' or "
                    "'skip' go on without it")
        return ids

    @staticmethod
    def _nearest(ids: Sequence[int], wanted: int) -> int:
        right = bisect.bisect(ids, wanted)
        around = ids[max(right - 1, 0):right + 1]
        return min(around, key=lambda i: (abs(i - wanted), i))

    def _path_of(self, path: str, frame_id: int, wanted: int) -> str:
        """Path that frame ``wanted`` would have."""
        stem, name = osp.split(path)
        if wanted < 0:
            return f'before all files of {stem}'
        for number in reversed(list(re.finditer(r'\d+', name))):
            if int(number[0]) == frame_id:
                width = len(number[0])
                return osp.join(
                    stem, f'{name[:number.start()]}{wanted:0{width}d}'
                    f'{name[number.end():]}')
        return f'not among the files of {stem}'

    def _data_info(self, video_id: str, video: _Video, labels: Dict[int, str],
                   ids: List[int], labelled: bool) -> dict:
        info = dict(
            img_path=video.paths[ids[-1]],
            img_paths=[video.paths[i] for i in ids],
            video_id=video_id,
            frame_id=ids[-1],
            frame_ids=ids,
            label_map=self.label_map,
            reduce_zero_label=self.reduce_zero_label,
            seg_fields=[])
        if video.file is not None:
            info['video_path'] = video.file
        if labelled:
            info['seg_map_paths'] = [labels.get(i) for i in ids]
            if ids[-1] in labels:
                info['seg_map_path'] = labels[ids[-1]]
        return info
