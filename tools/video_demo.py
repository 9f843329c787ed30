"""``predict.py`` as it was called before: ``--config``, folders as videos."""
import sys

from predict import main

if __name__ == '__main__':
    if not any(x.startswith('--config') for x in sys.argv):
        sys.argv += ['--config', 'lmanet-erfnet-s4-r21_stage2_2xb5-50e_'
                     'cityscapes-512x1024.py']
    sys.argv[1:] = [x.replace('--config', '--model', 1) for x in sys.argv[1:]]
    if not {'labels', '--save=labels'} & set(sys.argv):
        sys.argv.append('--video')
    main()
