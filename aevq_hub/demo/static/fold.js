// A part that is computed only while it is open.
element.addEventListener('toggle', event => {
    const open = event.target.open;
    if (event.target.parentElement.closest('details') || open === props.value.open) return;
    props.value = {open};
    if (open) trigger('expand');
}, true);
