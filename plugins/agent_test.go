package plugins_test

func beAgent()                                 {}
func pluginInspectors([]string) map[string]any { return nil }
