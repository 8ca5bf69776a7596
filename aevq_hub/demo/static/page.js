() => {
    // requests that are not queued could overtake each other, and so could their answers: each waits for the one before
    const send = window.fetch, patience = 10000;
    let before = Promise.resolve();
    window.fetch = (target, options) => {
        if (!String(target.url || target).includes('/run/')) return send(target, options);
        const answer = before.then(() => send(target, options));
        const read = answer.then(response => response.clone().arrayBuffer()).catch(() => {});
        before = Promise.race([read, new Promise(done => setTimeout(done, patience))]);
        return answer;
    };
    // pictures are as small as their model makes them; they are downloaded at a useful size, without blur
    document.addEventListener('click', async event => {
        const button = event.target.closest('button.download');
        if (!button) return;
        const image = button.closest('figure').querySelector('img'), link = document.createElement('a');
        link.download = button.dataset.name;
        link.href = image.src;
        const factor = Math.ceil(512 / Math.min(image.naturalWidth, image.naturalHeight));
        if (factor > 1 && !image.src.startsWith('data:image/webp')) {
            const canvas = document.createElement('canvas');
            canvas.width = image.naturalWidth * factor; canvas.height = image.naturalHeight * factor;
            const pen = canvas.getContext('2d');
            pen.imageSmoothingEnabled = false;
            pen.drawImage(image, 0, 0, canvas.width, canvas.height);
            link.href = canvas.toDataURL('image/png');
        }
        link.click();
    });
    document.addEventListener('click', event => {
        const button = event.target.closest('button.copy');
        if (button) navigator.clipboard.writeText(button.parentElement.querySelector('code').textContent);
    });
    document.addEventListener('keydown', event => {  // arrow keys on the tabs
        const tab = event.target.closest && event.target.closest('[role=tab]');
        const step = {ArrowLeft: -1, ArrowRight: 1}[event.key];
        if (!tab || !step) return;
        const tabs = [...document.querySelectorAll('[role=tab]')], next = tabs[tabs.indexOf(tab) + step];
        if (next) { next.focus(); next.click(); }
    });
    document.addEventListener('keydown', event => {  // arrow keys in groups of radio buttons
        const radio = event.target, step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[event.key];
        if (!step || !radio.matches || !radio.matches('input[type=radio]')) return;
        event.preventDefault();
        const all = [...radio.closest('fieldset').querySelectorAll('input[type=radio]')];
        const next = all[all.indexOf(radio) + step];
        if (next) { next.focus(); next.click(); }
    });
    const roam = () => document.querySelectorAll('[role=tab]').forEach(tab => {  // Tab reaches the chosen one
        const index = tab.getAttribute('aria-selected') === 'true' ? 0 : -1;
        if (tab.tabIndex !== index) tab.tabIndex = index;
    });
    new MutationObserver(roam).observe(document.body, {
        subtree: true, childList: true, attributes: true, attributeFilter: ['aria-selected'],
    });
    // a slider does not move while one scrolls: a touch counts once it has gone sideways
    let touch = null;
    const slider = event => event.target.matches && event.target.matches('input[type=range]');
    addEventListener('touchstart', event => {
        const {clientX, clientY} = event.touches[0];
        touch = slider(event) ? {x: clientX, y: clientY, box: event.target, value: event.target.value} : null;
    }, {capture: true, passive: true});
    addEventListener('touchmove', event => {
        if (!touch || touch.decided) return;
        const x = Math.abs(event.touches[0].clientX - touch.x), y = Math.abs(event.touches[0].clientY - touch.y);
        if (Math.max(x, y) > 6) touch.decided = x > y ? 'slide' : 'scroll';
    }, {capture: true, passive: true});
    addEventListener('input', event => {
        if (!touch || event.target !== touch.box || touch.decided === 'slide') return;
        touch.box.value = touch.value;
        event.stopImmediatePropagation();
    }, {capture: true});
    addEventListener('touchend', () => {
        const tapped = touch;
        touch = null;
        if (tapped && !tapped.decided) tapped.box.focus();
    }, {capture: true, passive: true});
}
