"""MMSegmentation's misc/print_config.py, with rtseg_plugin registered."""
from rtseg_plugin.utils.host_tools import run_host_tool

if __name__ == '__main__':
    run_host_tool('misc/print_config.py')
