"""MMSegmentation's analyze_logs.py, which needs seaborn (extra 'optional')."""
import importlib.util
import sys

from rtseg_plugin.utils.host_tools import run_host_tool

if __name__ == '__main__':
    if importlib.util.find_spec('seaborn') is None:
        sys.exit('error: analyze_logs needs seaborn: '
                 "pip install 'rtseg_plugin[optional]'")
    run_host_tool('analysis_tools/analyze_logs.py', takes_config=False)
