// A part that stays open or closed while its content changes.
element.addEventListener('toggle', event => { props.opened = event.target.open ? 'open' : ''; }, true);
