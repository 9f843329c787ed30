"""``metadata.json`` of a deployed folder. Needs the standard library alone."""
import hashlib
import json
from pathlib import Path
from typing import Union

METADATA = 'metadata.json'
REPORT = 'report.md'
# raised whenever a reader of the version before would run a folder wrongly
FORMAT_VERSION = 1


class DeploymentError(ValueError):
    """A folder that cannot be made, or one that cannot be run."""


def sha256_of(path: Union[str, Path]) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        for block in iter(lambda: file.read(1 << 20), b''):
            digest.update(block)
    return digest.hexdigest()


def write_metadata(folder: Path, metadata: dict) -> None:
    """Write it, with the sums of the model's files as they are now.

    Args:
        folder (Path): With the files that ``metadata['files']`` names.
        metadata (dict): Changed: ``files`` becomes a dict of sums.
    """
    metadata['format_version'] = FORMAT_VERSION
    metadata['files'] = {
        name: sha256_of(folder / name)
        for name in metadata['files']
    }
    text = json.dumps(metadata, indent=2, ensure_ascii=False)
    (folder / METADATA).write_text(text + '\n', encoding='utf-8')


def read_metadata(folder: Union[str, Path]) -> dict:
    """Read and check the metadata of a deployed folder.

    Args:
        folder (str | Path): What ``export.py --out`` wrote.

    Returns:
        dict: See :func:`rtseg_plugin.deployment.export.export`.

    Raises:
        DeploymentError: If it is no such folder, of another version, or a
            file of the model is missing or not the one that was exported.
    """
    folder = Path(folder)
    path = folder / METADATA
    if not path.is_file():
        raise DeploymentError(
            f'{folder} is no deployed model, it has no {METADATA}: make one '
            'with tools/deployment/export.py')
    try:
        metadata = json.loads(path.read_text(encoding='utf-8'))
        version = metadata['format_version']
        files = dict(metadata.get('files', {}))
    except (ValueError, KeyError, TypeError) as error:
        raise DeploymentError(
            f'{path} cannot be read ({error!r}): export the model again'
        ) from error
    if version != FORMAT_VERSION:
        raise DeploymentError(
            f'{path} is of version {version}, this rtseg_plugin reads version '
            f'{FORMAT_VERSION}: export the model again, or install the '
            'rtseg_plugin that wrote it '
            f'({metadata.get("versions", {}).get("rtseg_plugin", "?")})')
    if metadata.get('model') not in files:
        raise DeploymentError(
            f'{path} names no file of the model: export it again')
    for name, want in files.items():
        if Path(name).name != name or not (folder / name).is_file():
            raise DeploymentError(
                f'{folder} has no file {name!r}, which its {METADATA} names: '
                'the folder was not copied completely')
        if sha256_of(folder / name) != want:
            raise DeploymentError(
                f'{folder / name} is not the file that was exported (its '
                f'SHA-256 differs from the one in {METADATA}): copy or export '
                'it again')
    return metadata
