"""Run quick tests with the lowest and the newest supported versions.

    test_environments.py [lowest] [newest] [--folder DIR] [--python EXE]
    test_environments.py --torch 2.13.0+cpu  # this build in all of them

Makes an environment below --folder for each, installs the package with these
versions, and runs tests that reach every seam to the host. Prints what was
installed and what came out; the exit code is the number of environments that
failed.
"""
import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Dict, List

ROOT = Path(__file__).resolve().parents[2]
# The lowest of each range in compat.py, and what pip takes today.
ENVIRONMENTS: Dict[str, List[str]] = {
    'lowest': ['torch==2.13.0', 'mmengine==0.10.3', 'mmcv-lite==2.1.0',
               'mmsegmentation==1.2.2'],
    'newest': ['torch', 'mmengine', 'mmcv-lite', 'mmsegmentation'],
}
TESTS = ['tests/seam/test_seam.py', 'tests/models/test_contracts.py',
         'tests/parity', 'tests/utils/test_safe_load.py',
         'tests/apis/test_segmentor.py', 'tests/engine/test_training.py',
         'tests/engine/hooks/test_data_check_hook.py']


def run(*command: str, **options) -> int:
    print('$', *command, flush=True)
    return subprocess.run(command, cwd=ROOT, **options).returncode


def prepare(folder: Path, python: str, versions: List[str]) -> str:
    """Python of the environment, installed; exits where that fails."""
    interpreter = str(folder / 'bin/python')
    if not Path(interpreter).is_file():
        run(python, '-m', 'venv', str(folder), check=True)
    pip = [interpreter, '-m', 'pip', 'install', '-q']
    run(*pip, 'setuptools<82', 'wheel', check=True)
    run(*pip, *versions, check=True)
    run(*pip, '--no-build-isolation', '.[lite]', 'pytest', 'av', *versions,
        check=True)
    return interpreter


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('which', nargs='*', metavar='ENVIRONMENT',
                        help=', '.join(ENVIRONMENTS))
    parser.add_argument('--folder', type=Path, default=ROOT / 'build/env')
    parser.add_argument('--python', default=sys.executable)
    parser.add_argument(
        '--torch', metavar='VERSION',
        help='this torch instead, a build for processors say')
    args = parser.parse_args()
    unknown = set(args.which) - set(ENVIRONMENTS)
    if unknown:
        parser.error(f'no environment {", ".join(unknown)}; there are '
                     f'{", ".join(ENVIRONMENTS)}')
    failed = 0
    for name in args.which or ENVIRONMENTS:
        versions = ENVIRONMENTS[name]
        if args.torch:
            versions = [f'torch=={args.torch}', *versions[1:]]
        try:
            python = prepare(args.folder / name, args.python, versions)
        except subprocess.CalledProcessError as error:
            print(f'== {name}: not installed ({error})')
            failed += 1
            continue
        run(python, '-m', 'pip', 'list', '--format=freeze')
        code = run(python, '-m', 'pytest', '-m', 'not slow', *TESTS,
                   env=dict(os.environ, OMP_NUM_THREADS='2'))
        print(f'== {name}: {"passed" if code == 0 else f"failed ({code})"}')
        failed += code != 0
    sys.exit(failed)


if __name__ == '__main__':
    main()
