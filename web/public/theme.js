// Runs before the first paint, so that a chosen theme never flashes.
(function () {
  try {
    var theme = localStorage.getItem('vedette.theme');
    if (theme === '"light"' || theme === '"dark"') {
      document.documentElement.dataset.theme = theme.slice(1, -1);
    }
  } catch (e) {
    // No storage: the system's theme it is.
  }
})();
