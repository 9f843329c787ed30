from typing import Any, Callable, Iterator, List, Optional, Tuple

import torch
from mmengine.structures import PixelData
from mmseg.models.segmentors import EncoderDecoder
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from mmseg.utils import (
    ConfigType,
    OptConfigType,
    OptMultiConfig,
    OptSampleList,
    SampleList,
)
from torch import Tensor
from torch.nn import functional as F
from torch.utils._pytree import tree_map

from .fast_postprocess import FastPostprocess


@MODELS.register_module()
class VideoEncoderDecoder(FastPostprocess, EncoderDecoder):
    """``EncoderDecoder`` for clips and streams.

    What remembers is a neck with ``stateful = True``, called as ``features,
    state = neck(features, state)``; with it an image config becomes a video
    config by this type and that neck. A neck without state is called as
    usual, every frame then stands alone. The state is a NamedTuple of tensors
    with the streams along the first axis, None before the first frame, and
    stays with the caller: nothing is stored here.

    :meth:`step` is one frame of a stream. A clip (N, T, 3, H, W) in ``loss``,
    ``predict`` and ``encode_decode`` takes the same path frame by frame from
    an empty state, and an image (N, 3, H, W) is a clip of one frame. Only the
    last frame of a clip is decoded and supervised unless ``decode_all`` says
    otherwise; a neck with a method ``remember(features, state) -> state`` is
    not even asked to read for the others.

    Args:
        backbone (dict): See ``EncoderDecoder``, as all up to ``init_cfg``.
        decode_head (dict): Of any host or own type.
        neck (dict, optional): Defaults to None.
        auxiliary_head (dict | list[dict], optional): Gets what the decode
            head gets. Defaults to None.
        train_cfg (dict, optional): Defaults to None.
        test_cfg (dict, optional): Defaults to dict(mode='whole').
        data_preprocessor (dict, optional): For clips
            :class:`.VideoSegDataPreProcessor`. Defaults to None.
        pretrained (str, optional): Defaults to None.
        init_cfg (dict | list[dict], optional): Defaults to None.
        decode_all (bool): Whether every frame of a clip is decoded:
            predictions get ``clip_pred_sem_seg`` (T, H, W), and the loss
            averages over the frames of ``clip_gt_sem_seg`` where samples
            have it, as far as the meta ``labelled`` says that they have a
            label. Defaults to False.
        fold_time (bool): Whether the backbone sees the T frames of a clip as
            one batch: faster, but the features of all frames are held at
            once, and in training its batch norms average over time. Defaults
            to False: one frame at a time, as LMANet.
    """

    def __init__(self,
                 backbone: ConfigType,
                 decode_head: ConfigType,
                 neck: OptConfigType = None,
                 auxiliary_head: OptConfigType = None,
                 train_cfg: OptConfigType = None,
                 test_cfg: OptConfigType = dict(mode='whole'),
                 data_preprocessor: OptConfigType = None,
                 pretrained: Optional[str] = None,
                 init_cfg: OptMultiConfig = None,
                 decode_all: bool = False,
                 fold_time: bool = False):
        super().__init__(
            backbone=backbone,
            decode_head=decode_head,
            neck=neck,
            auxiliary_head=auxiliary_head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=data_preprocessor,
            pretrained=pretrained,
            init_cfg=init_cfg)
        self.decode_all = decode_all
        self.fold_time = fold_time

    @property
    def stateful(self) -> bool:
        """bool: Whether frames depend on the frames before them."""
        return self.with_neck and getattr(self.neck, 'stateful', False)

    def _remember(self,
                  features: Any,
                  state: Any,
                  wanted: bool = True) -> Tuple[Any, Any]:
        """The neck's part of a frame; features are None if not wanted."""
        if not self.with_neck:
            return features, None
        if not self.stateful:
            return self.neck(features) if wanted else None, None
        if not wanted and hasattr(self.neck, 'remember'):
            return None, self.neck.remember(features, state)
        return self.neck(features, state)

    def step(self,
             frame: Tensor,
             state: Any = None) -> Tuple[Tensor, Any]:
        """One frame of each of N streams.

        Args:
            frame (Tensor): Normalised frames of shape (N, 3, H, W).
            state (NamedTuple, optional): What the step before returned; None
                for the first frame. Defaults to None.

        Returns:
            tuple[Tensor, NamedTuple]: Logits (N, C, H, W) and the state for
            the next step.

        Raises:
            ValueError: If frame or state are not of the right shape, or
                test_cfg asks for windows.
        """
        if frame.dim() != 4:
            raise ValueError('a step takes frames (N, 3, H, W), got '
                             f'{tuple(frame.shape)}; clips go to forward')
        self._refuse_windows()
        features, state = self._remember(self.backbone(frame), state)
        metas = [dict(img_shape=frame.shape[2:])] * frame.shape[0]
        return self.decode_head.predict(features, metas, self.test_cfg), state

    def _clip(self, inputs: Tensor) -> Tensor:
        """(N, T, 3, H, W), an image as a clip of one frame."""
        clip = inputs.unsqueeze(1) if inputs.dim() == 4 else inputs
        if clip.dim() != 5 or clip.shape[1] == 0:
            raise ValueError(
                'inputs must be images (N, 3, H, W) or clips (N, T, 3, H, W) '
                f'with T > 0, got {tuple(inputs.shape)}')
        return clip

    def _encode_frames(self, clip: Tensor) -> Callable[[int], Any]:
        """A function that returns the backbone's features of one frame."""
        n, frames = clip.shape[:2]
        if not self.fold_time or frames == 1:
            return lambda t: self.backbone(clip[:, t])
        folded = self.backbone(clip.flatten(0, 1))
        # (N * T, C, H, W) -> (N, C, H, W)
        return lambda t: tree_map(
            lambda x: x.unflatten(0, (n, frames))[:, t], folded)

    def run_clip(self,
                 inputs: Tensor,
                 every: bool = False,
                 state: Any = None) -> Tuple[List[Any], Any]:
        """What the decode head gets, for the frames of a clip.

        Args:
            inputs (Tensor): Images (N, 3, H, W) or clips (N, T, 3, H, W).
            every (bool): Whether for every frame or for the last one.
                Defaults to False.
            state (NamedTuple, optional): To go on from; None starts anew.

        Returns:
            tuple: A list of features, one entry or T of them, and the state
            after the last frame.
        """
        results = []
        for step in self._run_frames(inputs, every, state):
            features, after = step
            if features is not None:
                results.append(features)
        return results, after

    def _run_frames(self, inputs: Tensor, every: bool,
                    state: Any) -> Iterator[Tuple[Any, Any]]:
        """Frame by frame: features, None if not wanted, and state after."""
        clip = self._clip(inputs)
        encode = self._encode_frames(clip)
        for t in range(clip.shape[1]):
            wanted = every or t == clip.shape[1] - 1
            features, state = self._remember(encode(t), state, wanted)
            yield features if wanted else None, state
            del features  # before the next frame is encoded

    def extract_feat(self, inputs: Tensor) -> Any:
        """Features of the last frame, after the neck.

        Args:
            inputs (Tensor): Images (N, 3, H, W) or clips (N, T, 3, H, W).

        Returns:
            Any: What the decode head takes.
        """
        return self.run_clip(inputs)[0][-1]

    def _refuse_windows(self) -> None:
        if self.test_cfg and self.test_cfg.get('mode') == 'slide':
            raise ValueError('frames of a stream or a clip are not cut into '
                             "windows: set test_cfg to dict(mode='whole')")

    def slide_inference(self, inputs: Tensor,
                        batch_img_metas: List[dict]) -> Tensor:
        """Of images only.

        Args:
            inputs (Tensor): Images (N, 3, H, W).
            batch_img_metas (list[dict]): See ``EncoderDecoder``.

        Returns:
            Tensor: Logits (N, C, H, W).

        Raises:
            ValueError: If these are clips.
        """
        if inputs.dim() != 4:
            self._refuse_windows()
        return super().slide_inference(inputs, batch_img_metas)

    def loss(self, inputs: Tensor, data_samples: SampleList) -> dict:
        """Losses of the heads.

        Args:
            inputs (Tensor): Clips (N, T, 3, H, W) or images (N, 3, H, W).
            data_samples (list[SegDataSample]): With ``gt_sem_seg`` of the
                last frame.

        Returns:
            dict[str, Tensor]: As of ``EncoderDecoder``.
        """
        length = self._clip(inputs).shape[1]
        if not (self.decode_all
                and any('clip_gt_sem_seg' in s for s in data_samples)):
            losses = self._loss_of_frame(
                self.extract_feat(inputs), data_samples)
            return losses if length > 1 else self._touch_neck(losses)
        ignored = self.decode_head.ignore_index
        # (T, N, 1, H, W); of some samples the last frame alone may be known
        labels = torch.stack([
            sample.clip_gt_sem_seg.data if 'clip_gt_sem_seg' in sample else
            F.pad(sample.gt_sem_seg.data, (0, 0, 0, 0, length - 1, 0),
                  value=ignored) for sample in data_samples
        ], 1).unsqueeze(2)
        for i, sample in enumerate(data_samples):
            labelled = sample.metainfo.get('labelled')
            if labelled is not None and 'clip_gt_sem_seg' in sample:
                blank = ~torch.tensor(labelled, device=labels.device)
                labels[blank, i] = ignored
        losses = []
        known = [bool((label != ignored).any()) for label in labels]
        if not any(known):  # void only: a loss of zero, as of an image
            known[-1] = True
        features = self.run_clip(inputs, True)[0]
        for feature, label, counts in zip(features, labels, known):
            if counts:
                samples = [
                    SegDataSample(
                        metainfo=sample.metainfo,
                        gt_sem_seg=PixelData(data=one))
                    for sample, one in zip(data_samples, label)
                ]
                losses.append(self._loss_of_frame(feature, samples))
        mean = {
            name: sum(loss[name] for loss in losses) / len(losses)
            for name in losses[0]
        }
        return mean if any(known[1:]) else self._touch_neck(mean)

    def _touch_neck(self, losses: dict) -> dict:
        """Give a memory a gradient of zero where no loss has used it.

        Several processes wait for a gradient of every parameter.
        """
        if self.stateful:
            name = next(name for name in losses if 'loss' in name)
            losses[name] = losses[name] + 0 * sum(
                p.sum() for p in self.neck.parameters() if p.requires_grad)
        return losses

    def _loss_of_frame(self, features: Any, samples: SampleList) -> dict:
        losses = self._decode_head_forward_train(features, samples)
        if self.with_auxiliary_head:
            losses.update(
                self._auxiliary_head_forward_train(features, samples))
        return losses

    def predict(self,
                inputs: Tensor,
                data_samples: OptSampleList = None) -> SampleList:
        """Segment the last frame of each clip, or all of them.

        Args:
            inputs (Tensor): Clips (N, T, 3, H, W) or images (N, 3, H, W).
            data_samples (list[SegDataSample], optional): With the meta of the
                host's pipelines. Defaults to None.

        Returns:
            list[SegDataSample]: As of ``EncoderDecoder``, with
            ``clip_pred_sem_seg`` (T, H, W) under ``decode_all``.
        """
        size = inputs.shape[-2:]
        metas = [
            dict(ori_shape=size, img_shape=size, pad_shape=size,
                 padding_size=[0] * 4)
        ] * inputs.shape[0]
        if data_samples is not None:
            metas = [sample.metainfo for sample in data_samples]
        if not self.decode_all or inputs.dim() == 4:
            logits = self.inference(inputs, metas)
            return self.postprocess_result(logits, data_samples)
        self._refuse_windows()
        labels = []
        for features, _ in self._run_frames(inputs, True, None):
            logits = self.decode_head.predict(features, metas, self.test_cfg)
            del features  # a clip may be a whole video
            results = self.postprocess_result(logits, data_samples)
            labels.append([r.pred_sem_seg.data for r in results])
        return self.join_frames(results, labels)

    @staticmethod
    def join_frames(results: SampleList,
                    labels: List[List[Tensor]]) -> SampleList:
        """Put the labels of all frames of clips to their results.

        Args:
            results (list[SegDataSample]): One for each clip, of its last
                frame.
            labels (list[list[Tensor]]): Of each frame for each clip,
                (1, H, W).

        Returns:
            list[SegDataSample]: The results, with ``clip_pred_sem_seg``
            (T, H, W).
        """
        for sample, frames in zip(results, zip(*labels)):
            sample.set_data(
                dict(clip_pred_sem_seg=PixelData(data=torch.cat(frames))))
        return results
