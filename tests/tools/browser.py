"""A headless Chromium, driven by the WebDriver protocol of chromedriver."""
import base64
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable, Optional

ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'


def available() -> bool:
    return all(map(shutil.which, ('chromedriver', 'chromium')))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


def wait_for(what: Callable[[], Any], seconds: float, words: str) -> Any:
    """The first true value that ``what`` gives."""
    end, error = time.monotonic() + seconds, None
    while time.monotonic() < end:
        try:
            value = what()
            if value:
                return value
        except (OSError, RuntimeError) as problem:
            error = problem
        time.sleep(0.2)
    raise AssertionError(f'{words} did not come in {seconds} s ({error})')


class Browser:
    """One window. Args: folder (Path): of its profile, new each time."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.driver = subprocess.Popen(
            ['chromedriver', f'--port={self.port}'],
            env=dict(os.environ, HOME=str(folder)),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.session = ''
        try:
            wait_for(lambda: self._call('GET', '/status')['ready'], 30,
                     'chromedriver')
            flags = ['--headless', '--no-sandbox', '--disable-gpu',
                     '--no-first-run', '--disable-background-networking',
                     '--disable-dev-shm-usage', '--window-size=1280,900',
                     '--use-fake-device-for-media-stream',  # a camera
                     '--use-fake-ui-for-media-stream',  # that may be used
                     f'--user-data-dir={folder}']
            answer = self._call('POST', '/session', dict(capabilities=dict(
                alwaysMatch={
                    'browserName': 'chrome',
                    'goog:loggingPrefs': {'performance': 'ALL'},
                    'goog:chromeOptions': dict(
                        args=flags, binary=shutil.which('chromium'))})))
            self.session = f'/session/{answer["sessionId"]}'
        except BaseException:
            self.close()
            raise

    def _call(self, method: str, path: str,
              data: Optional[dict] = None) -> Any:
        request = urllib.request.Request(
            f'http://127.0.0.1:{self.port}{path}', method=method,
            data=None if data is None else json.dumps(data).encode(),
            headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=120) as reply:
                return json.load(reply)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()[:500]) from None

    def go(self, address: str) -> None:
        self._call('POST', f'{self.session}/url', dict(url=address))

    def run(self, script: str, *args: Any) -> Any:
        """What a script returns."""
        return self._call('POST', f'{self.session}/execute/sync',
                          dict(script=script, args=args))

    def upload(self, css: str, path: Path) -> None:
        """Give a file to the file input below ``css``."""
        element = self.run(
            'return document.querySelector(arguments[0])',
            f'{css} input[type=file]')
        if element is None:
            raise RuntimeError(f'no file input in {css}')
        self._call('POST', f'{self.session}/element/{element[ELEMENT]}/value',
                   dict(text=str(path)))

    def click(self, css: str, words: str = '') -> bool:
        """Click as a mouse does what has these words; False without it."""
        element = self.run(
            'return [...document.querySelectorAll(arguments[0])].find('
            'e => e.innerText.includes(arguments[1]))', css, words)
        if element is not None:
            self._call(
                'POST', f'{self.session}/element/{element[ELEMENT]}/click',
                {})
        return element is not None

    def text(self, css: str) -> str:
        """What a reader sees of an element, '' where there is none."""
        return self.run('const e = document.querySelector(arguments[0]);'
                        'return e ? e.innerText : ""', css)

    def width_of_image(self, css: str) -> int:
        """Of the image in an element, 0 where none is shown."""
        return self.run(
            'const e = document.querySelector(arguments[0] + " img");'
            'return e && e.naturalWidth ? e.naturalWidth : 0', css)

    def picture(self, path: Path) -> None:
        data = self._call('GET', f'{self.session}/screenshot')
        path.write_bytes(base64.b64decode(data))

    def addresses(self) -> list:
        """All that was asked of any server."""
        entries = self._call('POST', f'{self.session}/se/log',
                             dict(type='performance'))
        messages = [json.loads(x['message'])['message'] for x in entries]
        return [m['params']['request']['url'] for m in messages
                if m['method'] == 'Network.requestWillBeSent']

    def close(self) -> None:
        if self.session:
            try:
                self._call('DELETE', self.session)
            except (OSError, RuntimeError):
                pass
        self.driver.terminate()
        self.driver.wait(20)
