"""What runs a deployed model: one class per format, each without the others.

A runtime takes and gives numpy arrays by name. The number of threads is always
set: in a container some libraries take the host's.
"""
import ctypes
import importlib
import math
import os
import sys
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np

from .deployed_folder import DeploymentError

# format: (module that runs it, what pip installs, the package's extra)
PACKAGES = {
    'onnx': ('onnxruntime', 'onnxruntime', 'onnx'),
    'openvino': ('openvino', 'openvino', 'openvino'),
    'pt2': ('torch', 'torch', None),
    'tensorrt': ('tensorrt', 'tensorrt', 'tensorrt'),
}


def need(module: str, pip_name: str = None, extra: str = None):
    """Import a module or say in one line how to get it.

    Args:
        module (str): Name to import.
        pip_name (str, optional): Of the distribution, if another.
        extra (str, optional): Of this package, that brings it.

    Returns:
        ModuleType: The module.

    Raises:
        DeploymentError: If it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        command = f"pip install '{pip_name or module}'"
        if extra:
            command += f" (or 'rtseg_plugin[{extra}]')"
        raise DeploymentError(
            f'{module} cannot be imported ({error}): {command}') from error


def available_cpus() -> int:
    """CPUs that this process may use: affinity and the container's quota."""
    if hasattr(os, 'sched_getaffinity'):
        cpus = len(os.sched_getaffinity(0))
    else:
        cpus = os.cpu_count() or 1
    try:  # cgroup v2
        quota, period = Path('/sys/fs/cgroup/cpu.max').read_text().split()
        cpus = min(cpus, math.ceil(int(quota) / int(period)))
    except (OSError, ValueError):  # none, or 'max'
        pass
    return max(cpus, 1)


class OnnxRuntime:
    """An ONNX file on onnxruntime's CPU provider.

    Args:
        path (Path): ``model.onnx``.
        metadata (dict): Of the folder.
        threads (int): CPU threads.

    Raises:
        DeploymentError: If onnxruntime cannot open or run it: its own errors
            have no other base than Exception.
    """

    def __init__(self, path: Path, metadata: dict, threads: int):
        self.path = path
        onnxruntime = need(*PACKAGES['onnx'])
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # see flush_denormals(), which needs torch
        options.add_session_config_entry('session.set_denormal_as_zero', '1')
        try:
            self.session = onnxruntime.InferenceSession(
                str(path), options, providers=['CPUExecutionProvider'])
        except Exception as error:
            raise DeploymentError(
                f'onnxruntime {onnxruntime.__version__} cannot open {path} '
                f'({_in_one_line(error)}): install a newer one, or export the '
                'model again') from error

    def run(self, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
        """Outputs in the order of the graph."""
        try:
            return self.session.run(None, feeds)
        except Exception as error:
            raise DeploymentError(f'onnxruntime cannot run {self.path}: '
                                  f'{_in_one_line(error)}') from error


def _in_one_line(error: Exception) -> str:
    return ' '.join(str(error).split())


@lru_cache(maxsize=None)
def openvino_core() -> Any:
    """The one ``openvino.Core`` of this process, which is never let go.

    The processor's plugin of each core gives the thread that loads it a stack
    for signals. Where two of them go in the order in which they came, or one
    goes in another thread, the stack that stays behind is gone too, and the
    next signal that Python handles, a Ctrl-C or the end of a child, kills the
    process (seen with OpenVINO 2026.4).

    Raises:
        DeploymentError: If OpenVINO is not installed.
    """
    return need(*PACKAGES['openvino']).Core()


@contextmanager
def signal_stack_put_back() -> Iterator[None]:
    """This thread's stack for signals is the one that it had.

    For what has cores of its own, as NNCF: see :func:`openvino_core`.
    """
    if sys.platform != 'linux':  # where OpenVINO changes none
        yield
        return
    libc = ctypes.CDLL(None)
    stack = ctypes.create_string_buffer(24)  # a stack_t
    libc.sigaltstack(None, stack)
    try:
        yield
    finally:
        libc.sigaltstack(stack, None)


class OpenVINO:
    """An OpenVINO IR on the CPU, in the precision that was exported.

    Args:
        path (Path): ``model.xml``.
        metadata (dict): Of the folder.
        threads (int): CPU threads.
    """

    def __init__(self, path: Path, metadata: dict, threads: int):
        core = openvino_core()
        # the default is bfloat16 wherever the processor has it
        self.model = core.compile_model(
            core.read_model(str(path)), 'CPU',
            openvino_options(threads, metadata['compute_precision']))

    def run(self, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
        """Outputs in the order of the graph."""
        results = self.model(feeds)
        return [results[i] for i in range(len(self.model.outputs))]


def openvino_options(threads: int, precision: str) -> dict:
    """Options of ``compile_model`` for the lowest latency of one frame."""
    return dict(
        INFERENCE_NUM_THREADS=threads,
        INFERENCE_PRECISION_HINT=precision,
        PERFORMANCE_HINT='LATENCY')


class TorchProgram:
    """An exported program, for PyTorch without the host's packages.

    Args:
        path (Path): ``model.pt2``.
        metadata (dict): Of the folder.
        threads (int): CPU threads, of the whole process.
    """

    def __init__(self, path: Path, metadata: dict, threads: int):
        self.torch = need(*PACKAGES['pt2'])
        self.torch.set_num_threads(threads)
        from .denormals import flush_denormals  # imports torch
        self._flush_denormals = flush_denormals
        self.program = self.torch.export.load(str(path)).module()
        self.names = [metadata['input']['name']] + [
            field['name'] for field in metadata['state']
        ]

    def run(self, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
        """Outputs in the order of the graph."""
        self._flush_denormals()
        with self.torch.no_grad():
            outputs = self.program(
                *(self.torch.from_numpy(feeds[name]) for name in self.names))
        return [output.numpy() for output in outputs]


def need_tensorrt() -> Tuple[Any, Any]:
    """TensorRT and PyTorch, which holds what is on the GPU.

    Raises:
        DeploymentError: If one is missing or too old, or there is no GPU.
    """
    tensorrt, torch = need(*PACKAGES['tensorrt']), need(*PACKAGES['pt2'])
    if int(tensorrt.__version__.split('.')[0]) < 11:
        raise DeploymentError(
            f'TensorRT {tensorrt.__version__} is too old, 11 is needed: '
            "pip install 'tensorrt>=11'")
    if not torch.cuda.is_available():
        raise DeploymentError(
            'TensorRT needs an NVIDIA GPU, which PyTorch does not find here: '
            'take --format onnx or openvino')
    return tensorrt, torch


class TensorRT:
    """A TensorRT engine on the first GPU.

    Args:
        path (Path): ``model.engine``.
        metadata (dict): Of the folder.
        threads (int): Of no effect.
    """

    def __init__(self, path: Path, metadata: dict, threads: int):
        tensorrt, self.torch = need_tensorrt()
        runtime = tensorrt.Runtime(tensorrt.Logger(tensorrt.Logger.WARNING))
        engine = runtime.deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise DeploymentError(
                f'{path} is of another version of TensorRT or another GPU: '
                'export the model again on this machine')
        self.context = engine.create_execution_context()
        self.stream = self.torch.cuda.Stream()
        names = [engine.get_tensor_name(i)
                 for i in range(engine.num_io_tensors)]
        # inputs and outputs in place for good
        self.tensors = {}
        for name in names:
            kind = np.dtype(tensorrt.nptype(engine.get_tensor_dtype(name)))
            self.tensors[name] = self.torch.empty(
                tuple(engine.get_tensor_shape(name)),
                dtype=getattr(self.torch, kind.name), device='cuda')
            self.context.set_tensor_address(
                name, self.tensors[name].data_ptr())
        self.outputs = [
            name for name in names
            if engine.get_tensor_mode(name) == tensorrt.TensorIOMode.OUTPUT
        ]

    def run(self, feeds: Dict[str, np.ndarray]) -> List[np.ndarray]:
        """Outputs in the order of the graph."""
        with self.torch.cuda.stream(self.stream):
            for name, value in feeds.items():
                self.tensors[name].copy_(self.torch.from_numpy(value))
            self.context.execute_async_v3(self.stream.cuda_stream)
            results = [self.tensors[name].cpu() for name in self.outputs]
        return [result.numpy() for result in results]


RUNTIMES = dict(onnx=OnnxRuntime, openvino=OpenVINO, pt2=TorchProgram,
                tensorrt=TensorRT)
