"""Packaging of rtseg_plugin, with the links that openmim needs.

openmim looks for configs, tools and the model index in the folder ``.mim`` of
the installed package. A wheel gets copies of them; an editable install gets
links, and, since openmim finds a package by joining the location of its
metadata with the first line of ``top_level.txt``, that line is made the
absolute path of the package there.
"""
import ast
import os
import re
import shutil
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py
from setuptools.command.editable_wheel import editable_wheel

ROOT = Path(__file__).resolve().parent
PACKAGE = 'rtseg_plugin'
MIM_ENTRIES = ('configs', 'tools', 'model-index.yml')


def read_literal(file: str, name: str):
    """Value of the module-level literal ``name``, without importing."""
    tree = ast.parse((ROOT / PACKAGE / file).read_text(encoding='utf-8'))
    for node in tree.body:
        if isinstance(node, ast.Assign) and node.targets[0].id == name:
            return ast.literal_eval(node.value)
    raise RuntimeError(f'{name} is not assigned in {PACKAGE}/{file}')


def requirements(name: str):
    """Lines of requirements/NAME.txt, host ranges taken from compat.py."""
    supported = read_literal('compat.py', 'SUPPORTED')
    lines = []
    for line in (ROOT / f'requirements/{name}.txt').read_text().splitlines():
        line = line.split('#')[0].strip()
        if not line or line.startswith('-r'):
            continue
        host = {'mmcv-lite': 'mmcv'}.get(line, line)
        if re.fullmatch(r'[\w-]+', line) and host in supported:
            line += '>={},<{}'.format(*supported[host])
        lines.append(line)
    return lines


class BuildWithMim(build_py):
    """Copies configs, tools and the model index into the built package."""

    def run(self):
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / PACKAGE / '.mim'
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for entry in MIM_ENTRIES:
            if (ROOT / entry).is_dir():
                shutil.copytree(
                    ROOT / entry,
                    target / entry,
                    ignore=shutil.ignore_patterns('__pycache__'))
            else:
                shutil.copy2(ROOT / entry, target / entry)


class EditableWithMim(editable_wheel):
    """Links them for ``pip install -e .`` instead."""

    def run(self):
        target = ROOT / PACKAGE / '.mim'
        if target.is_symlink() or target.is_file():
            target.unlink()
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for entry in MIM_ENTRIES:
            (target / entry).symlink_to(
                os.path.relpath(ROOT / entry, target),
                target_is_directory=(ROOT / entry).is_dir())
        super().run()

    def _ensure_dist_info(self):
        super()._ensure_dist_info()
        top_level = Path(self.dist_info_dir, 'top_level.txt')
        top_level.write_text(f'{ROOT / PACKAGE}\n{PACKAGE}\n')


setup(
    name=PACKAGE,
    version=read_literal('version.py', '__version__'),
    description='Real-time semantic segmentation of images and video for '
    'MMSegmentation',
    long_description=(ROOT / 'README.md').read_text(encoding='utf-8'),
    long_description_content_type='text/markdown',
    license='Apache-2.0',
    python_requires='>=3.11',
    packages=find_packages(include=[PACKAGE, f'{PACKAGE}.*']),
    package_data={PACKAGE: ['py.typed', 'weights/*/*']},
    install_requires=requirements('runtime'),
    extras_require={
        'lite': requirements('lite'),
        'full': requirements('mminstall'),
        'pretrain': requirements('pretrain'),
        'optional': requirements('optional'),
        'onnx': requirements('onnx'),
        'openvino': requirements('openvino'),
        'tensorrt': requirements('tensorrt'),
        'ray': requirements('ray'),
        'web': requirements('web'),
        'docs': requirements('docs'),
        'tests': requirements('tests'),
    },
    cmdclass={
        'build_py': BuildWithMim,
        'editable_wheel': EditableWithMim
    },
    zip_safe=False,
)
